"""The page 脑灌注."""
