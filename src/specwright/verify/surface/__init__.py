"""What of an app can be reached, read from its document, its routes and its mapped classes."""
