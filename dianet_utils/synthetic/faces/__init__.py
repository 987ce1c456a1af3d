"""Drawing a face that never was: traits, action units, and everything that is seen of them."""
