"""Supply: lock the inputs, fetch them into the Nix store."""
