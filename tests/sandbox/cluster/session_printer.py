#!/usr/bin/env python3
"""A program in the place of the controller: says who it is in AWS, as the SDK finds it out, and stays."""

import os
import signal
import sys

import boto3
from botocore.exceptions import BotoCoreError

try:
    who = boto3.client("sts").get_caller_identity()["Arn"]
except BotoCoreError as error:
    who = f"nobody ({error})"
sys.stdout.write(f"{who}\n{' '.join(sorted(name for name in os.environ if name.startswith('AWS_')))}\n")
sys.stdout.flush()
signal.pause()
