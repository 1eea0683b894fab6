"""The services of the Todo application, a file each."""
