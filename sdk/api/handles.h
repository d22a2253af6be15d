// What the C API's handles are.
#ifndef HANDPICK_SDK_API_HANDLES_H_
#define HANDPICK_SDK_API_HANDLES_H_

#include <atomic>
#include <cstdint>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "sdk/bundle/check_integrity.h"
#include "sdk/recall/overlay.h"
#include "sdk/session/model.h"
#include "sdk/session/session.h"

struct hp_model {
  explicit hp_model(const hp_allocator* allocator) : model(allocator) {}
  handpick::Model model;
  std::atomic<uint32_t> owners{1};
  // Of debug builds (call.h): which of all models it is, and the next one that is open.
  uint64_t number = 0;
  hp_model* next = nullptr;
};

struct hp_session {
  hp_session(const handpick::Model& model, const handpick::SessionLayout& layout,
             const handpick::Threads& threads)
      : session(model, layout, threads) {}
  handpick::Session session;
};

struct hp_check {
  explicit hp_check(const handpick::Model& of)
      : model(of), check(*of.plan().hashes, of.bytes().data, of.bytes().size) {}
  const handpick::Model& model;
  handpick::IntegrityCheck check;
};

struct hp_recall_overlay {
  hp_recall_overlay(const handpick::RecallIndex& index, uint32_t max_items)
      : overlay(index, max_items) {}
  handpick::RecallOverlay overlay;
};

#endif  // HANDPICK_SDK_API_HANDLES_H_
