# The workspace half of this folder: tabs, panes, prompts, closing. Included by CMakeLists.txt.
set(SANDPIPER_WORKSPACE_SOURCES
    bannerface.h bannerface.cpp
    closepolicy.h closepolicy.cpp
    closequestion.h closequestion.cpp
    conflictdialog.h conflictdialog.cpp
    comparedialog.h comparedialog.cpp
    comparemodel.h comparemodel.cpp
    filebrowser.h filebrowser.cpp filebrowseractions.cpp filebrowsercompare.cpp filebrowsertools.cpp
    editdialogs.h editdialogs.cpp
    editpanel.h editpanel.cpp
    filedialogs.h filedialogs.cpp fileproperties.cpp filepreview.cpp
    fileediting.h fileediting.cpp
    carriedfiles.h carriedfiles.cpp
    dragout.h dragout.cpp
    filecarrier.h filecarrier.cpp
    filepane.h filepane.cpp filepanelayout.cpp filepanewords.cpp
    fileplaces.h fileplaces.cpp
    fileservices.h
    forwardconnections.h forwardconnections.cpp
    forwarddialog.h forwarddialog.cpp
    forwardmodel.h forwardmodel.cpp
    forwardpanel.h forwardpanel.cpp
    forwardwords.h forwardwords.cpp
    filetable.h filetable.cpp
    filewords.h filewords.cpp
    fileremoving.cpp
    fileundo.h fileundo.cpp
    filework.h filework.cpp
    findbar.h findbar.cpp
    finddialog.h finddialog.cpp
    launchform.h launchform.cpp
    launchmemory.h launchmemory.cpp
    marks.h marks.cpp
    newterminaldialog.h newterminaldialog.cpp
    notifier.h notifier.cpp
    overlay.h overlay.cpp
    panebanner.h panebanner.cpp
    pastebar.h pastebar.cpp
    pathbar.h pathbar.cpp
    portline.h portline.cpp
    portofferbar.h portofferbar.cpp
    portwords.h portwords.cpp
    permissionboxes.h permissionboxes.cpp
    promptdialog.h promptdialog.cpp
    promptpresenter.h promptpresenter.cpp
    spring.h spring.cpp
    staging.h staging.cpp
    tabbar.h tabbar.cpp
    tabface.h tabface.cpp
    tabstore.h tabstore.cpp
    tabstrip.h tabstrip.cpp
    terminalpane.h terminalpane.cpp
    toolstart.h toolstart.cpp
    receiptdialog.h receiptdialog.cpp
    transfermodel.h transfermodel.cpp
    transferpanel.h transferpanel.cpp
    workspace.h workspace.cpp workspacepage.h workspaceprivate.h workspacedrops.cpp workspacelinks.cpp workspacetabs.cpp)
