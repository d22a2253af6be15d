/* The functions of libsodium's utils.c that Ed25519 and SHA-512 call: the file itself brings
 * locked memory, random bytes and aborts of all systems. */
#include <stddef.h>

void sodium_memzero(void* bytes, size_t size);
int sodium_memcmp(const void* a, const void* b, size_t size);
int sodium_is_zero(const unsigned char* bytes, size_t size);

/* Not left out, though nobody reads what it writes. */
void sodium_memzero(void* bytes, size_t size) {
  volatile unsigned char* to = (volatile unsigned char*)bytes;
  while (size-- != 0) *to++ = 0;
}

/* Takes the same time wherever the bytes differ. */
int sodium_memcmp(const void* a, const void* b, size_t size) {
  const volatile unsigned char* one = (const volatile unsigned char*)a;
  const volatile unsigned char* other = (const volatile unsigned char*)b;
  unsigned char different = 0;
  while (size-- != 0) different |= *one++ ^ *other++;
  return different == 0 ? 0 : -1;
}

/* Takes the same time wherever there is another byte. */
int sodium_is_zero(const unsigned char* bytes, size_t size) {
  const volatile unsigned char* at = bytes;
  unsigned char any = 0;
  while (size-- != 0) any |= *at++;
  return any == 0;
}
