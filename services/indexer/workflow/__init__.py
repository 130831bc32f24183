"""Builds, validates and publishes index versions; knows neither RPC nor storage, only its ports."""
