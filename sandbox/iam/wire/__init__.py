"""AWS requests and errors as they travel.

call          what a request asks for: service, action, region, access key
credentials   whose signature it is, and whether it is valid
replies       an error in the form that the call's protocol wants
denials       IAM's refusals as errors

What a call needs permission for belongs in `permissions`.
"""
