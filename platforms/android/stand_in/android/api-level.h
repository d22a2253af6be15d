/* The compiler defines __ANDROID_API__. */
