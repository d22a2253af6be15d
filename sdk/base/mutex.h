// A lock without the C++ runtime: std::mutex throws, and brings in what that takes.
#ifndef HANDPICK_SDK_BASE_MUTEX_H_
#define HANDPICK_SDK_BASE_MUTEX_H_

#if defined(_WIN32)
#include "sdk/base/windows_api.h"
#else
#include <pthread.h>
#endif

namespace handpick {

class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
#if defined(_WIN32)
  void Lock() { AcquireSRWLockExclusive(&mutex_); }
  void Unlock() { ReleaseSRWLockExclusive(&mutex_); }

 private:
  SRWLOCK mutex_ = SRWLOCK_INIT;
#else
  void Lock() { pthread_mutex_lock(&mutex_); }
  void Unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
#endif
};

class MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_MUTEX_H_
