"""What people do between deploys."""
