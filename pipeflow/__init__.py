"""The async client for Pipedrive's flow API: everything that happened to a person."""
