# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Installs the shared library of the build BUILD into STAGE by components, and says what is in the wrong one.
file(REMOVE_RECURSE ${STAGE})
foreach(component IN ITEMS runtime dev)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${STAGE} --component ${component}
                  COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE installed RELATIVE ${STAGE} ${STAGE}/*)
  list(REMOVE_ITEM installed ${before})
  list(APPEND before ${installed})
  foreach(file IN LISTS installed)
    set(expected dev)
    if(file MATCHES "libadamant\\.so\\.")
      set(expected runtime)
    endif()
    if(NOT component STREQUAL expected)
      message(SEND_ERROR "${file} is in the component ${component}")
    endif()
  endforeach()
  if(NOT installed)
    message(SEND_ERROR "the component ${component} is empty")
  endif()
endforeach()
