#include "terminal/mousereport.h"

namespace Sandpiper {
namespace {

// xterm's button numbers; -1 for buttons it has none for.
int buttonCode(const MouseReport &r)
{
    switch (r.kind) {
    case MouseReport::Kind::WheelUp:
        return 64;
    case MouseReport::Kind::WheelDown:
        return 65;
    case MouseReport::Kind::WheelLeft:
        return 66;
    case MouseReport::Kind::WheelRight:
        return 67;
    case MouseReport::Kind::Press:
    case MouseReport::Kind::Release:
    case MouseReport::Kind::Move:
        break;
    }
    switch (r.button) {
    case Qt::LeftButton:
        return 0;
    case Qt::MiddleButton:
        return 1;
    case Qt::RightButton:
        return 2;
    case Qt::BackButton:
        return 128;
    case Qt::ForwardButton:
        return 129;
    case Qt::NoButton:
        return r.kind == MouseReport::Kind::Move ? 3 : -1;
    default:
        return -1;
    }
}

bool isWanted(const MouseReport &r, MouseReports mode)
{
    switch (mode) {
    case MouseReports::Off:
        return false;
    case MouseReports::PressOnly:
        return r.kind == MouseReport::Kind::Press;
    case MouseReports::Buttons:
        return r.kind != MouseReport::Kind::Move;
    case MouseReports::Drag:
        return r.kind != MouseReport::Kind::Move || r.button != Qt::NoButton;
    case MouseReports::Motion:
        return true;
    }
    return false;
}

QByteArray utf8(int value)
{
    return QString(QChar(ushort(value))).toUtf8();
}

} // namespace

QByteArray mouseReport(const MouseReport &r, const TerminalModes &modes)
{
    const int button = buttonCode(r);
    if (!isWanted(r, modes.mouse) || button < 0 || r.cell.x() < 0 || r.cell.y() < 0)
        return {};
    int code = button;
    if (r.kind == MouseReport::Kind::Move)
        code += 32;
    if (modes.mouse != MouseReports::PressOnly) {
        if (r.modifiers.testFlag(Qt::ShiftModifier))
            code += 4;
        if (r.modifiers.testFlag(Qt::AltModifier))
            code += 8;
        if (r.modifiers.testFlag(Qt::ControlModifier))
            code += 16;
    }
    const bool released = r.kind == MouseReport::Kind::Release;
    const QPoint at = r.cell + QPoint(1, 1);
    // Only SGR can say which button was released.
    const int classic = released ? (code & ~0xc3) | 3 : code;
    switch (modes.mouseEncoding) {
    case MouseEncoding::Sgr:
    case MouseEncoding::SgrPixels: {
        const QPoint p = modes.mouseEncoding == MouseEncoding::Sgr ? at : r.pixel + QPoint(1, 1);
        return "\x1b[<" + QByteArray::number(code) + ';' + QByteArray::number(p.x()) + ';' + QByteArray::number(p.y())
            + (released ? 'm' : 'M');
    }
    case MouseEncoding::Urxvt:
        return "\x1b[" + QByteArray::number(classic + 32) + ';' + QByteArray::number(at.x()) + ';'
            + QByteArray::number(at.y()) + 'M';
    case MouseEncoding::Utf8:
        if (at.x() > 2015 || at.y() > 2015)
            return {};
        return "\x1b[M" + utf8(classic + 32) + utf8(at.x() + 32) + utf8(at.y() + 32);
    case MouseEncoding::Classic:
        if (at.x() > 223 || at.y() > 223 || classic > 223)
            return {};
        return QByteArray("\x1b[M") + char(classic + 32) + char(at.x() + 32) + char(at.y() + 32);
    }
    return {};
}

QByteArray wheelKeys(int lines, const TerminalModes &modes)
{
    const char key = lines > 0 ? 'A' : 'B';
    const QByteArray one = QByteArray(modes.applicationCursor ? "\x1bO" : "\x1b[") + key;
    return one.repeated(qBound(0, qAbs(lines), 100));
}

} // namespace Sandpiper
