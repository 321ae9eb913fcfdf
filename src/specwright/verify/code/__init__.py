"""What the app's code says by itself: read, never run."""
