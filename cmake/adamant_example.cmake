# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# adamant_example(NAME SOURCE): a program as a user would write it, and a test that it prints what its source says.
find_package(Eigen3 REQUIRED)
if(ADAMANT_BUILD_TESTS)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()

function(adamant_example name source)
  string(REPLACE . _ target ${name})
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE adamant_flags adamant::adamant Eigen3::Eigen)
  if(ADAMANT_BUILD_TESTS)
    add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_prints ${source}
                                  ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${target}>)
  endif()
endfunction()
