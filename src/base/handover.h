// Tells the thread sanitizer what it cannot see.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define ADAMANT_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ADAMANT_THREAD_SANITIZER 1
#endif
#endif

#ifdef ADAMANT_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace adamant {

/// Memory passes from the threads that give to those that take afterwards. oneTBB orders this, but its library is not
/// compiled with the thread sanitizer; without the sanitizer this is nothing.
class Handover {
 public:
#ifdef ADAMANT_THREAD_SANITIZER
  void give() { __tsan_release(this); }
  void take() { __tsan_acquire(this); }

 private:
  char address_ = 0;
#else
  void give() {}
  void take() {}
#endif
};

}  // namespace adamant
