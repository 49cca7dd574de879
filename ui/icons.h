// The one family of icons, drawn for 16 px and coloured by the theme when painted, so that a change
// of theme recolours what is on screen. GUI thread.
#pragma once

#include <QIcon>

class QPainter;

namespace Sandpiper {

enum class IconName {
    Add,
    Back,
    Check,
    ChevronDown,
    ChevronRight,
    Close,
    Cloud,
    Command,
    Computer,
    Copy,
    Detach,
    Down,
    Download,
    Error,
    External,
    File,
    Files,
    Forward,
    Import,
    Info,
    Key,
    Label,
    Link,
    Lock,
    Log,
    More,
    Next,
    Pause,
    Refresh,
    Remove,
    Rename,
    Resume,
    Sandbox,
    Search,
    Server,
    Settings,
    SplitDown,
    SplitRight,
    Star,
    Stop,
    Terminal,
    Transfers,
    Up,
    User,
    Warning,
};

enum class IconTone { Text, Muted, Accent, Danger, Running, Waiting, OnAccent };

[[nodiscard]] QIcon icon(IconName name, IconTone tone = IconTone::Muted);
void paintIcon(QPainter *painter, const QRect &rect, IconName name, const QColor &color);
// Every name of the family, and where it lies in the resources.
[[nodiscard]] QList<IconName> allIcons();
[[nodiscard]] QString iconFile(IconName name);
// The bird.
[[nodiscard]] QIcon applicationIcon();

} // namespace Sandpiper
