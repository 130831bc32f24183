// A page of ordinary payments from JSON to columns in one pass over its bytes. See payment_columns.py.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <climits>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../domain/siphash.hpp"
#include "json_text.hpp"
#include "payment_values.hpp"

namespace py = pybind11;
using json::Cursor;
using json::require;
using json::Text;

namespace {

// In the order of the lake's schema, which fingerprints are made in.
enum Field { ID, COMPANY, PAYMENT_AT, STATUS, AMOUNT, CLIENT, CREATED_AT, UPDATED_AT, FIELDS };
constexpr std::array<std::string_view, FIELDS> NAMES = {"id",     "company_code",       "payment_at", "status",
                                                        "amount", "external_client_id", "created_at", "updated_at"};

struct Limits {
    size_t rows, row_bytes, id_characters, text_characters, group_bytes;
    int64_t first, end;
};

// A buffer of Arrow's, which Python frees.
struct Buffer {
    std::string bytes;

    template <typename Value>
    void append(Value value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
};

// Texts one behind the other, and where each ends.
struct Texts {
    Buffer offsets, content;

    Texts() { offsets.append<int32_t>(0); }

    void append(std::string_view text) {
        content.bytes.append(text);
        offsets.append(static_cast<int32_t>(content.bytes.size()));
    }
};

struct Page {
    size_t rows = 0;
    std::array<Texts, FIELDS> texts;
    std::array<Buffer, FIELDS> numbers;  // int64 of moments, 128 bits of amounts
    Buffer payment_at_there;             // a bit a row
    size_t without_payment_at = 0;
    // What each row is ordered by: its id as it was written. And what is equal for equal rows.
    Texts groups;
    std::vector<uint64_t> fingerprints;
    std::optional<int64_t> latest_payment_at, latest_updated_at;
};

class Reader {
  public:
    Reader(std::string_view body, const Limits& limits)
        : body_(body), cursor_(body.data(), body.data() + body.size()), limits_(limits) {}

    Page page() {
        // Offsets have 31 bits; what is taken is no longer than it was written, but for what separates it.
        require(body_.size() <= INT32_MAX / 2);
        cursor_.skip_space();
        cursor_.expect('[');
        cursor_.skip_space();
        if (!cursor_.take(']')) {
            do {
                require(page_.rows < limits_.rows);
                cursor_.skip_space();
                const char* begin = cursor_.place();
                row();
                require(static_cast<size_t>(cursor_.place() - begin) <= limits_.row_bytes);
                cursor_.skip_space();
            } while (cursor_.take(','));
            cursor_.expect(']');
        }
        cursor_.skip_space();
        require(cursor_.ended());
        return std::move(page_);
    }

  private:
    // What was read of a field of this row.
    struct Value {
        std::string_view content;
        bool quoted = false, escaped = false, null = false;
    };

    void row() {
        unsigned found = 0;
        cursor_.expect('{');
        do {
            cursor_.skip_space();
            const Text name = cursor_.text();
            require(!name.escaped);
            cursor_.skip_space();
            cursor_.expect(':');
            cursor_.skip_space();
            const int field = field_of(name.content);
            if (field == FIELDS) {
                cursor_.skip_value();
            } else {
                require((found >> field & 1) == 0);
                found |= 1U << field;
                values_[field] = value();
            }
            cursor_.skip_space();
        } while (cursor_.take(','));
        cursor_.expect('}');
        require(found == (1U << FIELDS) - 1);
        take_row();
    }

    // Most rows have their fields in the order of the row before: what came behind the last field is tried first.
    int field_of(std::string_view name) {
        int& next = behind_[last_];
        if (NAMES[next] != name) {
            int field = 0;
            while (field < FIELDS && NAMES[field] != name) ++field;
            if (field == FIELDS) return field;
            next = field;
        }
        return last_ = next;
    }

    Value value() {
        if (cursor_.peek() == '"') {
            const Text text = cursor_.text();
            return {text.content, true, text.escaped, false};
        }
        if (cursor_.take_word("null")) return {{}, false, false, true};
        return {cursor_.number(), false, false, false};
    }

    void take_row() {
        page_.groups.append(take_identifier(ID));
        take_identifier(COMPANY);
        take_payment_at();
        take_text(STATUS, values_[STATUS], limits_.text_characters);
        take_amount();
        take_identifier(CLIENT);
        take_moment(CREATED_AT);
        remember(page_.latest_updated_at, take_moment(UPDATED_AT));
        page_.fingerprints.push_back(siphash::digest(identity_));
        identity_.clear();
        ++page_.rows;
    }

    // What it is before it is stripped.
    std::string_view take_identifier(Field field) {
        const Value& value = values_[field];
        if (value.quoted) return take_text(field, value, limits_.id_characters);
        // A whole number, by its digits; a sign of zero would be lost.
        require(!value.null && value.content != "-0" && value.content.size() <= limits_.id_characters &&
                value.content.find_first_of(".eE") == std::string_view::npos);
        keep_text(field, value.content);
        return value.content;
    }

    std::string_view take_text(Field field, const Value& value, size_t most) {
        require(value.quoted);
        std::string_view written = value.content;
        if (value.escaped) {
            json::unescape(value.content, meant_);
            written = meant_;
        }
        require(written.size() <= limits_.group_bytes);
        const bool plain = payments::is_plain(written) && written.size() <= most;
        keep_text(field, plain ? written : payments::stripped(written, most));
        return written;
    }

    void take_payment_at() {
        const Value& value = values_[PAYMENT_AT];
        if (page_.rows % CHAR_BIT == 0) page_.payment_at_there.append<uint8_t>(0);
        if (value.null) {
            ++page_.without_payment_at;
            page_.numbers[PAYMENT_AT].append<int64_t>(0);
            identify({}, PAYMENT_AT);
            return;
        }
        page_.payment_at_there.bytes.back() |= static_cast<char>(1 << page_.rows % CHAR_BIT);
        remember(page_.latest_payment_at, take_moment(PAYMENT_AT));
    }

    static void remember(std::optional<int64_t>& latest, int64_t moment) {
        if (!latest || *latest < moment) latest = moment;
    }

    int64_t take_moment(Field field) {
        const Value& value = values_[field];
        require(value.quoted && !value.escaped);
        const int64_t found = payments::moment(value.content, limits_.first, limits_.end);
        page_.numbers[field].append(found);
        identify({reinterpret_cast<const char*>(&found), sizeof found}, field);
        return found;
    }

    void take_amount() {
        const Value& value = values_[AMOUNT];
        require(!value.null && !value.escaped);
        std::string_view written = value.content;
        if (value.quoted) written = payments::stripped(written, limits_.text_characters);
        const int64_t found = payments::hundredths(written);
        const std::array<int64_t, 2> wide = {found, found < 0 ? -1 : 0};
        page_.numbers[AMOUNT].append(wide);
        identify({reinterpret_cast<const char*>(&wide), sizeof wide}, AMOUNT);
    }

    void keep_text(Field field, std::string_view text) {
        page_.texts[field].append(text);
        identify(text, field);
    }

    void identify(std::string_view content, Field field) {
        identity_.append(content);
        if (field != FIELDS - 1) identity_.push_back(BETWEEN);
    }

    // No text holds it.
    static constexpr char BETWEEN = '\x1f';

    std::string_view body_;
    Cursor cursor_;
    const Limits& limits_;
    Page page_;
    std::array<Value, FIELDS> values_;
    std::array<int, FIELDS> behind_{};
    int last_ = 0;
    std::string meant_, identity_;
};

std::optional<Page> read(std::string_view body, const Limits& limits) {
    const py::gil_scoped_release released;
    try {
        return Reader(body, limits).page();
    } catch (const json::Extraordinary&) {
        return std::nullopt;
    }
}

py::list texts_of(const Texts& texts, size_t rows) {
    py::list found(rows);
    const auto* ends = reinterpret_cast<const int32_t*>(texts.offsets.bytes.data());
    for (size_t row = 0; row < rows; ++row) {
        found[row] = py::str(texts.content.bytes.data() + ends[row], ends[row + 1] - ends[row]);
    }
    return found;
}

py::tuple buffers_of(Page& page, int field) {
    Texts& texts = page.texts[field];
    if (field == ID || field == COMPANY || field == STATUS || field == CLIENT) {
        return py::make_tuple(0, py::none(), py::cast(std::move(texts.offsets)), py::cast(std::move(texts.content)));
    }
    if (field == PAYMENT_AT && page.without_payment_at > 0) {
        return py::make_tuple(page.without_payment_at, py::cast(std::move(page.payment_at_there)),
                              py::cast(std::move(page.numbers[field])));
    }
    return py::make_tuple(0, py::none(), py::cast(std::move(page.numbers[field])));
}

py::object columns_of(const py::bytes& body, const Limits& limits) {
    std::optional<Page> page = read(std::string_view(body), limits);
    if (!page) return py::none();
    const py::list groups = texts_of(page->groups, page->rows);
    const py::list fingerprints = py::cast(page->fingerprints);
    const auto latest = py::make_tuple(page->latest_payment_at, page->latest_updated_at);
    py::list columns;
    for (int field = 0; field < FIELDS; ++field) columns.append(buffers_of(*page, field));
    return py::make_tuple(page->rows, columns, groups, fingerprints, latest);
}

}  // namespace

PYBIND11_MODULE(payment_page, module) {
    py::class_<Buffer>(module, "Buffer", py::buffer_protocol()).def_buffer([](Buffer& buffer) {
        return py::buffer_info(buffer.bytes.data(), 1, py::format_descriptor<uint8_t>::format(), 1,
                               {static_cast<py::ssize_t>(buffer.bytes.size())}, {static_cast<py::ssize_t>(1)}, true);
    });
    py::class_<Limits>(module, "Limits")
        .def(py::init<size_t, size_t, size_t, size_t, size_t, int64_t, int64_t>(), py::kw_only(), py::arg("rows"),
             py::arg("row_bytes"), py::arg("id_characters"), py::arg("text_characters"), py::arg("group_bytes"),
             py::arg("first"), py::arg("end"));
    module.def("columns_of", &columns_of, py::arg("body"), py::arg("limits"));
}
