"""A registry for the images that the cluster's nodes pull."""
