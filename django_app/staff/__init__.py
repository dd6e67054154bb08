"""Who may enter the admin, by which account, for how long, and what their roles let them do."""
