"""Who speaks to an app: how they sign in, how their requests say who they are, and how that is forged."""
