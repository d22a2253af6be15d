package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** Decides which items recall may return. */
public interface ItemPredicate {
  /**
   * False: the item is left out. Asked about items that would be among the best, possibly more than
   * once, in no promised order; must answer the same within a call. The session is in use meanwhile. An
   * exception ends the recall, which throws it.
   */
  boolean accepts(@NotNull Item item);
}
