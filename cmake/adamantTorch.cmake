# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# adamant::torch is the library with what adamant/torch.hpp needs: the libtorch that find_package(Torch) has found.
if(NOT TARGET adamant::torch)
  add_library(adamant::torch INTERFACE IMPORTED)
  target_link_libraries(adamant::torch INTERFACE adamant::adamant ${TORCH_LIBRARIES})
endif()
