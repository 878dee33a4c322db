# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The AdamW engine: updates parameters in CPU memory, in place."""
