"""Every figure of the collection, in one style; one module per room of the package."""
