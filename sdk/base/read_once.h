// Numbers of a bundle that are checked and then used as an index or a size.
#ifndef HANDPICK_SDK_BASE_READ_ONCE_H_
#define HANDPICK_SDK_BASE_READ_ONCE_H_

namespace handpick {

// Reads a number of a mapped file once. Somebody may write the file meanwhile: what was checked and
// what is used have to be the same, and a compiler may read plain memory twice.
template <typename T>
inline T ReadOnce(const T& number) {
  T read;
  __atomic_load(&number, &read, __ATOMIC_RELAXED);
  return read;
}

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_READ_ONCE_H_
