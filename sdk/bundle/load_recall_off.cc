// A library without recall (--define handpick_recall=off) leaves a bundle's index where it lies.
#include "handpick/handpick.h"
#include "sdk/bundle/loader.h"

namespace handpick {

hp_status Loader::Recall() { return HP_OK; }

}  // namespace handpick
