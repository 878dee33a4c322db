# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What bench/speed.py is made of: the cases it measures, and the tables it writes."""
