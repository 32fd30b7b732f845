"""The permissions that a call needs: actions, resources, condition keys. Pure.

demands     the permissions of a call
rules       the table of actions
operations  a call's parameters, by botocore's models
resources, keys, paths   where ARNs and condition keys are in the parameters
reference   AWS's Service Authorization Reference (made by `make_reference`)

Whether a policy grants them belongs in `language`.
"""
