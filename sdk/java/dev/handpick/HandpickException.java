package dev.handpick;

import org.jetbrains.annotations.NotNull;

/**
 * A call failed. {@link #getStatus} has the cause, the message names the thing, its value and what
 * was expected. Model and session are as they were before the call. Unchecked: most causes are
 * mistakes in the calling code; an app that opens downloaded bundles catches it there.
 */
public final class HandpickException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Status status;
  private final int code;

  HandpickException(@NotNull Status status, @NotNull String message) {
    this(status, status.getCode(), message);
  }

  private HandpickException(Status status, int code, String message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  public @NotNull Status getStatus() {
    return status;
  }

  /** The number behind {@link #getStatus}, also where that is {@link Status#UNKNOWN}. */
  public int getCode() {
    return code;
  }

  /** For example {@code dev.handpick.HandpickException: UNKNOWN_ID: ...}. */
  @Override
  public String toString() {
    return getClass().getName() + ": " + status + ": " + getMessage();
  }

  /** Called by the library. */
  static HandpickException of(int code, byte[] message) {
    return new HandpickException(Status.of(code), code, Text.required(message));
  }
}
