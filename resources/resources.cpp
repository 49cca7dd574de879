// A library needs a source of its own; the resources themselves are generated beside it.
namespace Sandpiper {
}
