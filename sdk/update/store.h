// A folder that has the bundle in use and the one before it.
//
// Bundles are called by their hash: "1f5d...9a.hpk". Which is which says the file "state", that is
// only ever replaced as a whole, by a rename: it is the commit of every change. Bundles that it
// does not name are left-overs, and are removed after it was written.
#ifndef HANDPICK_SDK_UPDATE_STORE_H_
#define HANDPICK_SDK_UPDATE_STORE_H_

#include "handpick/update.h"
#include "sdk/update/files.h"

namespace handpick {

hp_status StartStore(const char* folder, char* path, hp_store_report* report, hp_error* error);
hp_status ConfirmStore(const char* folder, hp_error* error);
// `path` was verified.
hp_status InstallInStore(const char* folder, const char* path, hp_error* error);
hp_status RollBackStore(const char* folder, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_UPDATE_STORE_H_
