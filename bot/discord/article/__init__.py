"""Articles: their components, their editor and what people do with them."""
