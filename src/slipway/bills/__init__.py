"""What images consist of, for those who look for known holes and for licences."""
