# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What bench/peers.py is made of: the packages it installs, the steps it times, how it measures, the page it writes."""
