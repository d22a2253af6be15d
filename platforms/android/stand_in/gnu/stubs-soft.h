/* glibc's headers for armv7 are those of hard float; Android's floats are passed the soft way. */
