// Paths and names as bytes, and as they are shown.
#include "sftp/filepath.h"
#include "tests/fuzz/must.h"

using namespace Sandpiper;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size)
{
    const QByteArray bytes(reinterpret_cast<const char *>(data), qsizetype(size));
    // What is shown leads back, and shows nothing that could mislead.
    const QString shown = shownBytes(bytes);
    must(bytesFromShown(shown) == Result<QByteArray>(bytes));
    for (const QChar c : shown)
        must(c.category() != QChar::Other_Control && c.category() != QChar::Other_Format);
    (void)bytesFromShown(QString::fromUtf8(bytes));
    (void)FilePath::fromShown(QString::fromUtf8(bytes));

    const Result<FilePath> path = FilePath::fromBytes(bytes);
    must(path.has_value() == !bytes.contains('\0'));
    if (!path)
        return 0;
    must(FilePath::fromShown(path->shown()) == path);
    must(!path->onTheWire().isEmpty());
    must(!path->name().contains('/'));
    const FilePath parent = path->parent();
    must(parent.isAbsolute() == path->isAbsolute());
    must(parent.bytes().size() <= path->bytes().size() + 3);
    must(FilePath().joined(*path) == *path);

    // A name that a server told stays in its folder.
    const FilePath folder = FilePath::fromBytes("/a/folder").value();
    const Result<FilePath> child = folder.child(bytes);
    must(child.has_value() == isPlainName(bytes));
    if (child) {
        must(child->parent() == folder);
        must(child->name() == bytes);
    }
    return 0;
}
