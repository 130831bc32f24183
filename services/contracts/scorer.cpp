// See scorer.pyi.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "scoring.hpp"

namespace py = pybind11;

namespace {

template <typename Value>
using Array = py::array_t<Value, py::array::c_style>;
using Columns = std::tuple<std::vector<int64_t>, std::vector<float>, py::bytes>;

constexpr py::ssize_t MOST_FACTORS = 1000;

void require(bool holds, const char* problem) {
    if (!holds) throw py::value_error(problem);
}

scoring::Matrix matrix(const Array<float>& array) {
    require(array.ndim() == 2 && array.shape(1) > 0 && array.shape(1) <= MOST_FACTORS, "factors must be a matrix");
    return {array.data(), static_cast<size_t>(array.shape(0)), static_cast<size_t>(array.shape(1))};
}

Columns columns(const std::vector<scoring::Score>& scores) {
    std::vector<int64_t> companies;
    std::vector<float> numbers;
    std::string kinds;
    for (const scoring::Score& each : scores) {
        companies.push_back(each.company);
        numbers.push_back(each.score);
        kinds.push_back(static_cast<char>(each.kind));
    }
    return {companies, numbers, kinds};
}

Array<double> lengths(const py::array_t<float>& vectors) {
    require(vectors.ndim() == 2, "lengths are of the rows of a matrix");
    const size_t rows = vectors.shape(0), width = vectors.shape(1);
    require(rows == 0 || width < 2 || vectors.strides(1) == sizeof(float), "a row's numbers must lie side by side");
    Array<double> found(rows);
    const auto* first = reinterpret_cast<const char*>(vectors.data());
    const py::ssize_t step = vectors.strides(0);
    double* length = found.mutable_data();
    const py::gil_scoped_release others_run;
    for (size_t row = 0; row < rows; ++row)
        length[row] = exact::length(reinterpret_cast<const float*>(first + row * step), width);
    return found;
}

class Scorer {
  public:
    Scorer(Array<float> source, Array<float> target, size_t longest)
        : source_(std::move(source)), target_(std::move(target)) {
        const scoring::Matrix sources = matrix(source_), targets = matrix(target_);
        require(sources.rows == targets.rows && sources.width == targets.width, "sources and targets differ in shape");
        const py::gil_scoped_release others_run;
        scores_.emplace(sources, targets, longest);
    }

    const std::vector<float>& doubt() const { return scores_->doubt(); }

    Array<float> query(const Array<int32_t>& companies, const Array<float>& weights) const {
        require(companies.size() == weights.size(), "each company needs its weight");
        Array<float> asked(scores_->width());
        scores_->query(companies.data(), weights.data(), companies.size(), asked.mutable_data());
        return asked;
    }

    Array<float> queries(const Array<int32_t>& companies, const Array<float>& weights,
                         const Array<int64_t>& begins) const {
        require(companies.size() == weights.size(), "each company needs its weight");
        const size_t clients = begins.size(), width = scores_->width();
        std::vector<int64_t> bounds(begins.data(), begins.data() + clients);
        bounds.push_back(companies.size());
        require(bounds.front() >= 0 && std::is_sorted(bounds.begin(), bounds.end()), "histories follow one another");
        Array<float> asked({clients, width});
        float* row = asked.mutable_data();
        for (size_t i = 0; i < clients; ++i, row += width)
            scores_->query(companies.data() + bounds[i], weights.data() + bounds[i], bounds[i + 1] - bounds[i], row);
        return asked;
    }

    std::tuple<Array<float>, Array<uint8_t>> scored(const Array<float>& asked, const Array<int64_t>& companies) const {
        const size_t count = companies.size(), width = scores_->width();
        const bool is_one = asked.ndim() == 1;
        require(is_one || (asked.ndim() == 2 && static_cast<size_t>(asked.shape(0)) == count),
                "one query is needed, or one for each company");
        require_wide(asked);
        Array<float> scores(count);
        Array<uint8_t> kinds(count);
        for (size_t i = 0; i < count; ++i) {
            const scoring::Score found = scores_->score(asked.data() + (is_one ? 0 : i * width), companies.data()[i]);
            scores.mutable_data()[i] = found.score;
            kinds.mutable_data()[i] = found.kind;
        }
        return {scores, kinds};
    }

    Columns ranked(const Array<float>& asked, const Array<int64_t>& companies) const {
        require(asked.ndim() == 1, "one query is needed");
        require_wide(asked);
        return columns(scores_->ranked(asked.data(), companies.data(), companies.size()));
    }

    Columns ranked_near(const Array<float>& asked, const Array<int32_t>& barred, size_t count,
                        const py::function& nearest) const {
        require(asked.ndim() == 1, "one query is needed");
        require_wide(asked);
        const std::vector<int32_t> closed(barred.data(), barred.data() + barred.size());
        const auto found = [&] { return nearest(asked).cast<scoring::Companies>(); };
        return columns(scores_->ranked_near(asked.data(), closed, count, found));
    }

  private:
    void require_wide(const Array<float>& asked) const {
        require(static_cast<size_t>(asked.shape(asked.ndim() - 1)) == scores_->width(),
                "a query is as wide as targets");
    }

    Array<float> source_, target_;  // what the scores look at
    std::optional<scoring::Scores> scores_;
};

py::object doubt(const py::object& self) {
    const std::vector<float>& numbers = self.cast<const Scorer&>().doubt();
    Array<float> view(numbers.size(), numbers.data(), self);
    view.attr("setflags")(py::arg("write") = false);
    return view;
}

}  // namespace

PYBIND11_MODULE(scorer, module) {
    module.def("lengths", &lengths, py::arg("vectors"));
    py::class_<Scorer>(module, "Scorer")
        .def(py::init<Array<float>, Array<float>, size_t>(), py::arg("source"), py::arg("target"), py::arg("longest"))
        .def_property_readonly("doubt", &doubt)
        .def("query", &Scorer::query, py::arg("companies"), py::arg("weights"))
        .def("queries", &Scorer::queries, py::arg("companies"), py::arg("weights"), py::arg("begins"))
        .def("scored", &Scorer::scored, py::arg("asked"), py::arg("companies"))
        .def("ranked", &Scorer::ranked, py::arg("asked"), py::arg("companies"))
        .def("ranked_near", &Scorer::ranked_near, py::arg("asked"), py::arg("barred"), py::arg("count"),
             py::arg("nearest"));
}
