"""What this project brings itself where nothing else is to be had; README.md says when.

Of `toolchain` it uses only what says, runs, fetches and places things: a user of Minikube, kind,
k3d or Docker Desktop with Pulumi's installer never meets anything in this folder.
"""
