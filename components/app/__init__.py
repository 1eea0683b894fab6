"""A stateless application: its Deployment, Service, and all that goes with them."""
