"""A certificate authority of a local cluster's own, for what no public authority can certify."""
