/* sanitizer.h: is this a build with AddressSanitizer or ThreadSanitizer? Their runtimes ask the
 * kernel for more than the program does. Such a build is for tests alone. */
#ifndef OS_SANITIZER_H
#define OS_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER 1
#endif
#endif
#ifndef SANITIZER
#define SANITIZER 0
#endif

#endif
