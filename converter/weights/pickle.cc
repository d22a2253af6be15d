#include "converter/weights/pickle.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/io/byte_order.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

using Kind = PickleValue::Kind;

// A checkpoint of 10,000 tensors with the state of its optimizer has a tenth of it.
constexpr size_t kMaxValues = size_t{1} << 22;
constexpr uint32_t kMaxDepth = 200;
constexpr size_t kMaxMarks = 1000;
// In all objects together: an object that is kept may be copied by a few bytes.
constexpr size_t kMaxItems = size_t{1} << 24;
constexpr size_t kMaxNameBytes = 1024;
constexpr uint64_t kMaxMemo = kMaxValues;

// What is done where a pickle calls a function.
enum class Call { kTensor, kParameter, kTypedTensor, kDict, kItems, kObject };

struct KnownCall {
  const char* name;
  Call call;
};

// Functions that stand in files of torch.save and change nothing when they are not called.
constexpr KnownCall kCalls[] = {
    {"torch._utils._rebuild_tensor", Call::kTensor},
    {"torch._utils._rebuild_tensor_v2", Call::kTensor},
    {"torch._utils._rebuild_tensor_v3", Call::kTensor},
    {"torch._utils._rebuild_parameter", Call::kParameter},
    {"torch._utils._rebuild_parameter_with_state", Call::kParameter},
    {"torch._tensor._rebuild_from_type_v2", Call::kTypedTensor},
    {"collections.OrderedDict", Call::kDict},
    {"collections.defaultdict", Call::kDict},
    {"builtins.dict", Call::kDict},
    {"__builtin__.dict", Call::kDict},
    {"torch.Size", Call::kItems},
    {"builtins.set", Call::kItems},
    {"__builtin__.set", Call::kItems},
    {"builtins.frozenset", Call::kItems},
    {"__builtin__.frozenset", Call::kItems},
    {"builtins.list", Call::kItems},
    {"__builtin__.list", Call::kItems},
    {"torch.device", Call::kObject},
    {"_codecs.encode", Call::kObject},
    {"numpy.dtype", Call::kObject},
    {"numpy.core.multiarray.scalar", Call::kObject},
    {"numpy._core.multiarray.scalar", Call::kObject},
    {"numpy.core.multiarray._reconstruct", Call::kObject},
    {"numpy._core.multiarray._reconstruct", Call::kObject},
    {"copy_reg._reconstructor", Call::kObject},
    {"copyreg._reconstructor", Call::kObject},
    {"collections.Counter", Call::kObject},
    {"datetime.datetime", Call::kObject},
    {"pathlib.PosixPath", Call::kObject},
};

}  // namespace

std::string KindOf(const PickleValue& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "a bool";
    case Kind::kInteger:
      return "an integer";
    case Kind::kFloat:
      return "a float";
    case Kind::kString:
      return "a string";
    case Kind::kTuple:
      return "a tuple";
    case Kind::kList:
      return "a list";
    case Kind::kDict:
      return "a dictionary";
    case Kind::kGlobal:
      return absl::StrCat("'", value.text, "'");
    case Kind::kStorage:
      return "a storage";
    case Kind::kTensor:
      return "a tensor";
    case Kind::kObject:
      return absl::StrCat("an object of class '", value.text, "'");
  }
  return "nothing";
}

// Runs one pickle: a stack machine with a memo.
class PickleMachine {
 public:
  PickleMachine(absl::string_view bytes, PickleReader* reader)
      : bytes_(bytes), size_(bytes.size()), reader_(*reader) {}

  absl::StatusOr<const PickleValue*> Run() {
    while (!stopped_) {
      HP_ASSIGN_OR_RETURN(const absl::string_view code, Take(1));
      HP_RETURN_IF_ERROR(Step(static_cast<unsigned char>(code[0])));
    }
    return result_;
  }

  // What comes after the pickle.
  absl::string_view rest() const { return bytes_; }

 private:
  absl::Status Fault(absl::string_view message) const {
    return absl::InvalidArgumentError(absl::StrCat(
        reader_.origin_, ": at byte ", size_ - bytes_.size(), " of its pickle: ", message));
  }

  // ---- Arguments of opcodes ----

  absl::StatusOr<absl::string_view> Take(uint64_t count) {
    if (count > bytes_.size()) {
      return Fault(absl::StrCat(count, " bytes are wanted and ", bytes_.size(), " are left"));
    }
    const absl::string_view taken = bytes_.substr(0, static_cast<size_t>(count));
    bytes_.remove_prefix(taken.size());
    return taken;
  }

  absl::StatusOr<uint64_t> TakeUnsigned(size_t count) {
    HP_ASSIGN_OR_RETURN(const absl::string_view bytes, Take(count));
    return UnsignedOf(bytes);
  }

  // A text that is preceded by its size in `count` bytes.
  absl::StatusOr<absl::string_view> TakeText(size_t count) {
    HP_ASSIGN_OR_RETURN(const uint64_t size, TakeUnsigned(count));
    return Take(size);
  }

  absl::StatusOr<absl::string_view> TakeLine() {
    const size_t end = bytes_.find('\n');
    if (end == absl::string_view::npos) return Fault("a line has no end");
    HP_ASSIGN_OR_RETURN(const absl::string_view line, Take(end));
    bytes_.remove_prefix(1);
    return line;
  }

  // ---- The stack ----

  absl::StatusOr<PickleValue*> New(Kind kind) {
    if (reader_.values_.size() >= kMaxValues) {
      return Fault(absl::StrCat("more than ", kMaxValues,
                                " objects: no state_dict has so many; save that alone"));
    }
    reader_.values_.emplace_back();
    reader_.values_.back().kind = kind;
    return &reader_.values_.back();
  }

  absl::Status Push(Kind kind, int64_t integer = 0, absl::string_view text = "") {
    HP_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
    value->integer = integer;
    value->text = std::string(text);
    stack_.push_back(value);
    return absl::OkStatus();
  }

  absl::Status PushItems(Kind kind, std::vector<const PickleValue*> items,
                         absl::string_view text = "") {
    HP_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
    value->text = std::string(text);
    HP_RETURN_IF_ERROR(Append(items, value));
    stack_.push_back(value);
    return absl::OkStatus();
  }

  absl::Status Append(const std::vector<const PickleValue*>& items, PickleValue* to) {
    for (const PickleValue* const item : items) to->depth = std::max(to->depth, item->depth + 1);
    if (to->depth > kMaxDepth) {
      return Fault(absl::StrCat("objects lie in one another more than ", kMaxDepth, " deep"));
    }
    reader_.item_count_ += items.size();
    if (reader_.item_count_ > kMaxItems) {
      return Fault(absl::StrCat("its objects have more than ", kMaxItems, " items"));
    }
    to->items.insert(to->items.end(), items.begin(), items.end());
    return absl::OkStatus();
  }

  // How many values lie above the last mark.
  size_t Above() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  absl::StatusOr<PickleValue*> Top() {
    if (Above() == 0) return Fault("its stack is empty");
    return stack_.back();
  }

  absl::StatusOr<PickleValue*> Pop() {
    HP_ASSIGN_OR_RETURN(PickleValue* const top, Top());
    stack_.pop_back();
    return top;
  }

  absl::StatusOr<std::vector<const PickleValue*>> Pop(size_t count) {
    if (Above() < count) return Fault("its stack is empty");
    std::vector<const PickleValue*> values(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                           stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }

  absl::StatusOr<std::vector<const PickleValue*>> PopToMark() {
    if (marks_.empty()) return Fault("its stack has no mark");
    HP_ASSIGN_OR_RETURN(std::vector<const PickleValue*> values, Pop(Above()));
    marks_.pop_back();
    return values;
  }

  // ---- Objects ----

  absl::Status Tuple(size_t count) {
    HP_ASSIGN_OR_RETURN(std::vector<const PickleValue*> items, Pop(count));
    return PushItems(Kind::kTuple, std::move(items));
  }

  // Everything above the mark, as one object.
  absl::Status FromMark(Kind kind) {
    HP_ASSIGN_OR_RETURN(std::vector<const PickleValue*> items, PopToMark());
    if (kind == Kind::kDict && items.size() % 2 != 0) return Fault("a dictionary has half a pair");
    return PushItems(kind, std::move(items));
  }

  // Adds items to the list or dictionary below them.
  absl::Status AddItems(std::vector<const PickleValue*> items, bool are_pairs) {
    HP_ASSIGN_OR_RETURN(PickleValue* const to, Top());
    if (are_pairs && items.size() % 2 != 0) return Fault("a dictionary has half a pair");
    // Classes of their own may be filled like one or the other; what is in them is of no interest.
    if (to->kind == Kind::kObject) return absl::OkStatus();
    if (to->kind != (are_pairs ? Kind::kDict : Kind::kList)) {
      return Fault(absl::StrCat("items are added to ", KindOf(*to)));
    }
    return Append(items, to);
  }

  absl::Status Global(absl::string_view module, absl::string_view name) {
    if (module.size() + name.size() > kMaxNameBytes) return Fault("a class has too long a name");
    return Push(Kind::kGlobal, 0, absl::StrCat(module, ".", name));
  }

  // function(*arguments)
  absl::Status Reduce() {
    HP_ASSIGN_OR_RETURN(const PickleValue* const arguments, Pop());
    HP_ASSIGN_OR_RETURN(const PickleValue* const function, Pop());
    if (arguments->kind != Kind::kTuple) {
      return Fault(absl::StrCat("a call's arguments are ", KindOf(*arguments)));
    }
    // Objects of classes of their own, which cannot be called here.
    if (function->kind != Kind::kGlobal) {
      return Fault(absl::StrCat("calls ", KindOf(*function)));
    }
    const auto* const known =
        std::find_if(std::begin(kCalls), std::end(kCalls),
                     [&](const KnownCall& call) { return function->text == call.name; });
    if (known == std::end(kCalls)) {
      return Fault(absl::StrCat("calls '", function->text,
                                "', which no tensor needs; nothing was run. Save "
                                "model.state_dict() and nothing else"));
    }
    const std::vector<const PickleValue*>& items = arguments->items;
    switch (known->call) {
      case Call::kTensor:
        return PushItems(Kind::kTensor, items, function->text);
      case Call::kParameter:
        if (items.empty() || items[0]->kind != Kind::kTensor) {
          return Fault("a parameter is made of no tensor");
        }
        return PushItems(Kind::kTensor, items[0]->items, items[0]->text);
      case Call::kTypedTensor:
        // (function, type, arguments, state)
        if (items.size() < 3 || items[0]->kind != Kind::kGlobal ||
            !absl::StartsWith(items[0]->text, "torch._utils._rebuild_tensor") ||
            items[2]->kind != Kind::kTuple) {
          return Push(Kind::kObject, 0, function->text);
        }
        return PushItems(Kind::kTensor, items[2]->items, items[0]->text);
      case Call::kDict:
        return Dictionary(items);
      case Call::kItems:
        if (items.size() == 1 &&
            (items[0]->kind == Kind::kList || items[0]->kind == Kind::kTuple)) {
          return PushItems(function->text == "torch.Size" ? Kind::kTuple : Kind::kList,
                           items[0]->items);
        }
        return PushItems(Kind::kList, {});
      case Call::kObject: {
        // (class, base, state)
        const bool is_class = absl::EndsWith(function->text, "_reconstructor") && !items.empty() &&
                              items[0]->kind == Kind::kGlobal;
        return PushItems(Kind::kObject, {}, is_class ? items[0]->text : function->text);
      }
    }
    return Fault("a call without a meaning");
  }

  // OrderedDict() or, by old pickles, OrderedDict([[key, value], ...]); dict(...).
  absl::Status Dictionary(const std::vector<const PickleValue*>& arguments) {
    std::vector<const PickleValue*> items;
    for (const PickleValue* const argument : arguments) {
      if (argument->kind == Kind::kDict) {
        items.insert(items.end(), argument->items.begin(), argument->items.end());
      }
      if (argument->kind != Kind::kList) continue;
      for (const PickleValue* const pair : argument->items) {
        if (pair->items.size() != 2 || (pair->kind != Kind::kList && pair->kind != Kind::kTuple)) {
          return Fault("a dictionary is made of no pairs");
        }
        items.insert(items.end(), pair->items.begin(), pair->items.end());
      }
    }
    return PushItems(Kind::kDict, std::move(items));
  }

  // class(*arguments), without its __init__.
  absl::Status NewObject(size_t operands) {
    HP_ASSIGN_OR_RETURN(const std::vector<const PickleValue*> values, Pop(operands));
    if (values[0]->kind != Kind::kGlobal) {
      return Fault(absl::StrCat("an object's class is ", KindOf(*values[0])));
    }
    const std::string& name = values[0]->text;
    if (name == "collections.OrderedDict" || name == "collections.defaultdict") {
      return PushItems(Kind::kDict, {});
    }
    return PushItems(Kind::kObject, {}, name);
  }

  // What torch.save keeps outside of the pickle: ("storage", ...).
  absl::Status Persistent() {
    HP_ASSIGN_OR_RETURN(const PickleValue* const id, Pop());
    if (id->kind != Kind::kTuple || id->items.empty() || id->items[0]->kind != Kind::kString) {
      return Fault(absl::StrCat("something outside is named by ", KindOf(*id),
                                ", expected a tuple of 'storage' and more"));
    }
    if (id->items[0]->text == "module") {
      // Older files of whole models: a class and its source.
      const bool has_class = id->items.size() > 1 && id->items[1]->kind == Kind::kGlobal;
      return Push(Kind::kGlobal, 0, has_class ? id->items[1]->text : "?");
    }
    if (id->items[0]->text != "storage") {
      return Fault(
          absl::StrCat("something outside is a '", id->items[0]->text, "', expected a 'storage'"));
    }
    return PushItems(Kind::kStorage, id->items);
  }

  // ---- The memo ----

  absl::Status Put(uint64_t key) {
    HP_ASSIGN_OR_RETURN(PickleValue* const top, Top());
    if (key >= kMaxMemo) return Fault(absl::StrCat("memo ", key, " is beyond ", kMaxMemo));
    memo_[key] = top;
    return absl::OkStatus();
  }

  absl::Status Get(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) return Fault(absl::StrCat("memo ", key, " was never put"));
    return PushAgain(found->second);
  }

  absl::Status PushAgain(PickleValue* value) {
    if (stack_.size() >= kMaxValues) return Fault("its stack is full");
    stack_.push_back(value);
    return absl::OkStatus();
  }

  // ---- Opcodes ----

  absl::Status Step(unsigned char code) {
    switch (code) {
      case 0x80: {  // PROTO
        HP_ASSIGN_OR_RETURN(const uint64_t protocol, TakeUnsigned(1));
        return protocol <= 5 ? absl::OkStatus()
                             : Fault(absl::StrCat("protocol ", protocol, " is unknown"));
      }
      case 0x95:  // FRAME
        return Take(8).status();
      case '.': {  // STOP
        HP_ASSIGN_OR_RETURN(result_, Pop());
        stopped_ = true;
        return absl::OkStatus();
      }
      case '(':  // MARK
        if (marks_.size() >= kMaxMarks) {
          return Fault(absl::StrCat("objects lie in one another more than ", kMaxMarks, " deep"));
        }
        marks_.push_back(stack_.size());
        return absl::OkStatus();
      case '0':  // POP
        return Pop().status();
      case '1':  // POP_MARK
        return PopToMark().status();
      case '2': {  // DUP
        HP_ASSIGN_OR_RETURN(PickleValue* const top, Top());
        return PushAgain(top);
      }
      case 'N':
        return Push(Kind::kNone);
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        return Push(Kind::kBool, code == 0x88 ? 1 : 0);
      case 'J': {  // BININT
        HP_ASSIGN_OR_RETURN(const uint64_t value, TakeUnsigned(4));
        return Push(Kind::kInteger, static_cast<int32_t>(static_cast<uint32_t>(value)));
      }
      case 'K':    // BININT1
      case 'M': {  // BININT2
        HP_ASSIGN_OR_RETURN(const uint64_t value, TakeUnsigned(code == 'K' ? 1 : 2));
        return Push(Kind::kInteger, static_cast<int64_t>(value));
      }
      case 0x8a:    // LONG1
      case 0x8b: {  // LONG4
        HP_ASSIGN_OR_RETURN(const absl::string_view bytes, TakeText(code == 0x8a ? 1 : 4));
        return PushLong(bytes);
      }
      case 'G':  // BINFLOAT
        HP_RETURN_IF_ERROR(Take(8).status());
        return Push(Kind::kFloat);
      case 'U':    // SHORT_BINSTRING
      case 0x8c:   // SHORT_BINUNICODE
      case 'C': {  // SHORT_BINBYTES
        HP_ASSIGN_OR_RETURN(const absl::string_view text, TakeText(1));
        return Push(Kind::kString, 0, text);
      }
      case 'T':    // BINSTRING
      case 'X':    // BINUNICODE
      case 'B': {  // BINBYTES
        HP_ASSIGN_OR_RETURN(const absl::string_view text, TakeText(4));
        return Push(Kind::kString, 0, text);
      }
      case 0x8d:    // BINUNICODE8
      case 0x8e:    // BINBYTES8
      case 0x96: {  // BYTEARRAY8
        HP_ASSIGN_OR_RETURN(const absl::string_view text, TakeText(8));
        return Push(Kind::kString, 0, text);
      }
      case ')':  // EMPTY_TUPLE
        return Push(Kind::kTuple);
      case ']':   // EMPTY_LIST
      case 0x8f:  // EMPTY_SET
        return Push(Kind::kList);
      case '}':  // EMPTY_DICT
        return Push(Kind::kDict);
      case 't':  // TUPLE
        return FromMark(Kind::kTuple);
      case 'l':   // LIST
      case 0x91:  // FROZENSET
        return FromMark(Kind::kList);
      case 'd':  // DICT
        return FromMark(Kind::kDict);
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        return Tuple(code - 0x84u);
      case 'a':    // APPEND
      case 's': {  // SETITEM
        HP_ASSIGN_OR_RETURN(std::vector<const PickleValue*> items, Pop(code == 'a' ? 1 : 2));
        return AddItems(std::move(items), code == 's');
      }
      case 'e':    // APPENDS
      case 0x90:   // ADDITEMS
      case 'u': {  // SETITEMS
        HP_ASSIGN_OR_RETURN(std::vector<const PickleValue*> items, PopToMark());
        return AddItems(std::move(items), code == 'u');
      }
      case 'c': {  // GLOBAL
        HP_ASSIGN_OR_RETURN(const absl::string_view module, TakeLine());
        HP_ASSIGN_OR_RETURN(const absl::string_view name, TakeLine());
        return Global(module, name);
      }
      case 0x93: {  // STACK_GLOBAL
        HP_ASSIGN_OR_RETURN(const std::vector<const PickleValue*> names, Pop(2));
        if (names[0]->kind != Kind::kString || names[1]->kind != Kind::kString) {
          return Fault("a class has no name");
        }
        return Global(names[0]->text, names[1]->text);
      }
      case 'R':
        return Reduce();
      case 0x81:  // NEWOBJ
        return NewObject(2);
      case 0x92:  // NEWOBJ_EX
        return NewObject(3);
      case 'b':  // BUILD: the state of an object, which is of no interest.
        HP_RETURN_IF_ERROR(Pop().status());
        return Top().status();
      case 'Q':  // BINPERSID
        return Persistent();
      case 'q':    // BINPUT
      case 'r': {  // LONG_BINPUT
        HP_ASSIGN_OR_RETURN(const uint64_t key, TakeUnsigned(code == 'q' ? 1 : 4));
        return Put(key);
      }
      case 'h':    // BINGET
      case 'j': {  // LONG_BINGET
        HP_ASSIGN_OR_RETURN(const uint64_t key, TakeUnsigned(code == 'h' ? 1 : 4));
        return Get(key);
      }
      case 0x94:  // MEMOIZE
        return Put(memo_.size());
      default:
        return Fault(absl::StrFormat("opcode 0x%02x is none that torch.save writes", code));
    }
  }

  // Two's complement, little-endian.
  absl::Status PushLong(absl::string_view bytes) {
    constexpr size_t kMost = 8;
    // Longer ones stand in the head of the older form, and are told by their bytes.
    if (bytes.size() > kMost) return Push(Kind::kInteger, INT64_MAX, bytes);
    uint64_t value = UnsignedOf(bytes);
    const bool is_negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    if (is_negative && bytes.size() < kMost) value |= ~uint64_t{0} << (8 * bytes.size());
    return Push(Kind::kInteger, static_cast<int64_t>(value));
  }

  absl::string_view bytes_;
  const size_t size_;
  PickleReader& reader_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;  // Sizes of the stack.
  std::unordered_map<uint64_t, PickleValue*> memo_;
  const PickleValue* result_ = nullptr;
  bool stopped_ = false;
};

absl::StatusOr<const PickleValue*> PickleReader::Read(absl::string_view* bytes) {
  PickleMachine machine(*bytes, this);
  HP_ASSIGN_OR_RETURN(const PickleValue* const value, machine.Run());
  *bytes = machine.rest();
  return value;
}

std::vector<const PickleValue*> PickleReader::All(PickleValue::Kind kind) const {
  std::vector<const PickleValue*> values;
  for (const PickleValue& value : values_) {
    if (value.kind == kind) values.push_back(&value);
  }
  return values;
}

}  // namespace handpick::converter
