"""AWS requests and errors as they travel.

call          what a request asks for: service, action, region, access key
credentials   who signed it, and whether the signature is valid
replies       an error in the format of the call's protocol
denials       IAM's refusals as errors

The permissions that a call needs belong in `permissions`.
"""
