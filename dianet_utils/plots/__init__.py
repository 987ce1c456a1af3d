"""Every figure of the collection, in one style; one module a room of the package."""
