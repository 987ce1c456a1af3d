"""What every room stands on: errors for people, whole files, locks, progress, the machine."""
