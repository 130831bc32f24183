// See digesting.pyi.
#include <pybind11/pybind11.h>

#include <string_view>

#include "siphash.hpp"

namespace py = pybind11;

PYBIND11_MODULE(digesting, module) {
    module.def(
        "digest", [](const py::bytes& content) { return siphash::digest(std::string_view(content)); },
        py::arg("content"));
}
