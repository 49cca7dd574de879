# relay.py again, for where there is no python3. A name is looked up while everybody waits.
use strict;
use warnings;
use Errno qw(EAGAIN EWOULDBLOCK EINPROGRESS EINTR ECONNREFUSED ENOENT ENETUNREACH EHOSTUNREACH ETIMEDOUT EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT);
use Fcntl;
use Socket qw(:DEFAULT :addrinfo inet_pton pack_sockaddr_in6 unpack_sockaddr_in6 IPPROTO_TCP TCP_NODELAY IPPROTO_IPV6 IPV6_V6ONLY);

my ($most, $piece, $connections) = (262144, 16384, 512);
my (%streams, %listeners, %owner);
my ($incoming, $outgoing, $last) = ("", "", 0x80000000);

sub say_it { my ($letter, $number, $payload) = @_; $payload = "" unless defined $payload; $outgoing .= pack("a1NN", $letter, $number, length $payload) . $payload; }
sub unblock { my ($fh) = @_; fcntl($fh, F_SETFL, fcntl($fh, F_GETFL, 0) | O_NONBLOCK); }
sub waits { return $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR}; }
sub reason {
    my ($code) = @_;
    my %kinds = (ECONNREFUSED, "r", ENOENT, "n", ENETUNREACH, "u", EHOSTUNREACH, "u", ETIMEDOUT, "t", EACCES, "p", EPERM, "p", EADDRINUSE, "i", EADDRNOTAVAIL, "a");
    local $! = $code;
    return ($kinds{$code + 0} || "x") . substr("$!", 0, 200);
}

sub leave {
    my ($s) = @_;
    return unless $s->{sock};
    delete $owner{fileno $s->{sock}};
    close $s->{sock};
    $s->{sock} = undef;
}
sub drop {
    my ($s, $reset) = @_;
    setsockopt($s->{sock}, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $reset && $s->{sock};
    leave($s);
    delete $streams{$s->{number}};
}
sub lose { my ($s) = @_; say_it("C", $s->{number}); drop($s, 0); }
sub fresh {
    my ($number) = @_;
    return $streams{$number} = {number => $number, sock => undef, places => [], credit => $most, taken => 0, pending => "", open => 0, read_end => 0,
                                write_end => 0, shut => 0, error => EHOSTUNREACH};
}
sub take { my ($s, $sock) = @_; unblock($sock); $s->{sock} = $sock; $owner{fileno $sock} = $s; }
sub opened {
    my ($s) = @_;
    $s->{open} = 1;
    setsockopt($s->{sock}, IPPROTO_TCP, TCP_NODELAY, 1) unless $s->{unix};
    say_it("K", $s->{number});
}
sub try_next {
    my ($s) = @_;
    while (my $place = shift @{$s->{places}}) {
        my ($family, $address) = @$place;
        socket(my $sock, $family, SOCK_STREAM, 0) or do { $s->{error} = $! + 0; next };
        $s->{unix} = $family == AF_UNIX;
        take($s, $sock);
        return opened($s) if connect($sock, $address);
        return if $!{EINPROGRESS};
        $s->{error} = $! + 0;
        leave($s);
    }
    say_it("F", $s->{number}, $s->{words} || reason($s->{error}));
    delete $streams{$s->{number}};
}
sub settle {
    my ($s) = @_;
    if ($s->{write_end} && $s->{pending} eq "" && !$s->{shut}) {
        $s->{shut} = 1;
        shutdown($s->{sock}, 1) or return lose($s);
    }
    drop($s, 0) if $s->{shut} && $s->{read_end};
}
sub write_some {
    my ($s) = @_;
    return 1 if $s->{pending} eq "";
    my $sent = syswrite($s->{sock}, $s->{pending});
    return waits() unless defined $sent;
    substr($s->{pending}, 0, $sent, "");
    $s->{taken} += $sent;
    if ($s->{taken} >= $most / 4) { say_it("W", $s->{number}, pack("N", $s->{taken})); $s->{taken} = 0; }
    return 1;
}
sub read_some {
    my ($s) = @_;
    return 1 if $s->{read_end} || $s->{credit} <= 0 || length $outgoing >= $most;
    my $got = sysread($s->{sock}, my $data, $s->{credit} < $piece ? $s->{credit} : $piece);
    return waits() unless defined $got;
    if ($got) { $s->{credit} -= $got; say_it("D", $s->{number}, $data); }
    else { $s->{read_end} = 1; say_it("E", $s->{number}); }
    return 1;
}
sub stream_ready {
    my ($s, $reads, $writes) = @_;
    if (!$s->{open}) {
        my $code = unpack("i", getsockopt($s->{sock}, SOL_SOCKET, SO_ERROR));
        return opened($s) unless $code;
        $s->{error} = $code;
        leave($s);
        return try_next($s);
    }
    return lose($s) if $writes && !write_some($s);
    return lose($s) if $reads && !read_some($s);
    settle($s);
}

sub close_listener {
    my ($l) = @_;
    for my $sock (@{$l->{socks}}) { delete $owner{fileno $sock}; close $sock; }
    $l->{socks} = [];
    unlink $l->{path} if defined $l->{path} && ((lstat $l->{path})[1] || 0) == $l->{inode};
    $l->{path} = undef;
}
sub add_socket {
    my ($l, $family, $address) = @_;
    socket(my $sock, $family, SOCK_STREAM, 0) or return 0;
    setsockopt($sock, SOL_SOCKET, SO_REUSEADDR, 1) unless $family == AF_UNIX;
    setsockopt($sock, IPPROTO_IPV6, IPV6_V6ONLY, 1) if $family == AF_INET6;
    bind($sock, $address) && listen($sock, 128) or return 0;
    unblock($sock);
    push @{$l->{socks}}, $sock;
    $owner{fileno $sock} = $l;
    return 1;
}
# The port; undef and $! where it cannot be.
sub open_listener {
    my ($l, $unix, $host, $port) = @_;
    if (defined $unix) {
        my $before = umask 0177;
        my $done = add_socket($l, AF_UNIX, pack_sockaddr_un($unix));
        my $code = $! + 0;
        umask $before;
        $! = $code;
        return undef unless $done;
        ($l->{path}, $l->{inode}) = ($unix, (lstat $unix)[1]);
        return 0;
    }
    my @names = $host eq "localhost" ? ("127.0.0.1", "::1") : $host eq "" ? ("0.0.0.0", "::") : ($host);
    for my $tries (1 .. 16) {
        my ($given, $code) = ($port, 0);
        for my $name (@names) {
            my $family = $name =~ /:/ ? AF_INET6 : AF_INET;
            my $raw = inet_pton($family, $name);
            if (!defined $raw) { $! = EADDRNOTAVAIL; return undef; }
            if (add_socket($l, $family, $family == AF_INET6 ? pack_sockaddr_in6($given, $raw) : pack_sockaddr_in($given, $raw))) {
                my $own = getsockname $l->{socks}[-1];
                $given = $family == AF_INET6 ? (unpack_sockaddr_in6($own))[0] : (unpack_sockaddr_in($own))[0];
                next;
            }
            $code = $! + 0;
            last unless @names > 1 && ($code == EAFNOSUPPORT || $code == EADDRNOTAVAIL);
            $code = 0 if @{$l->{socks}};
        }
        return $given unless $code;
        close_listener($l);
        $! = $code;
        return undef if $port || $code != EADDRINUSE || $tries == 16;
    }
}
sub listener_ready {
    my ($l) = @_;
    for my $sock (@{$l->{socks}}) {
        accept(my $peer, $sock) or next;
        my $s = fresh(++$last);
        take($s, $peer);
        $s->{open} = 1;
        setsockopt($peer, IPPROTO_TCP, TCP_NODELAY, 1) unless defined $l->{path};
        say_it("A", $last, pack("N", $l->{number}));
    }
}

sub understand {
    my ($letter, $number, $payload) = @_;
    my $s = $streams{$number};
    my ($unix, $host, $port);
    if ($letter eq "O" || $letter eq "L") {
        if (substr($payload, 0, 1) eq "u") { $unix = substr $payload, 1; }
        else { ($port, $host) = (unpack("n", substr $payload, 1, 2), substr $payload, 3); }
    }
    if ($letter eq "O") {
        $s = fresh($number);
        if (defined $unix) { $s->{places} = [[AF_UNIX, pack_sockaddr_un($unix)]]; }
        else {
            my ($error, @all) = getaddrinfo($host, $port, {socktype => SOCK_STREAM});
            $s->{places} = [map { [$_->{family}, $_->{addr}] } @all];
            $s->{words} = "n$error" if $error;
        }
        try_next($s);
    } elsif ($letter eq "L") {
        my $l = $listeners{$number} = {number => $number, socks => [], path => undef, listens => 1};
        my $given = open_listener($l, $unix, $host, $port);
        if (defined $given) { say_it("K", $number, pack("n", $given)); }
        else { my $words = reason($! + 0); close_listener($l); delete $listeners{$number}; say_it("F", $number, $words); }
    } elsif ($letter eq "U") {
        close_listener(delete $listeners{$number}) if $listeners{$number};
    } elsif ($s && $letter eq "C") {
        drop($s, 1);
    } elsif ($s && $letter eq "W") {
        $s->{credit} += unpack "N", $payload;
    } elsif ($s && $s->{open} && ($letter eq "D" || $letter eq "E")) {
        $s->{pending} .= $payload;
        $s->{write_end} = 1 if $letter eq "E";
        stream_ready($s, 0, 1);
    }
}

sub finish { close_listener($_) for values %listeners; require POSIX; POSIX::_exit(0); }
$SIG{$_} = \&finish for qw(TERM HUP INT);
$SIG{PIPE} = "IGNORE";
unblock(\*STDIN);
unblock(\*STDOUT);
say_it("R", 0);
while (1) {
    my ($r, $w) = ("", "");
    vec($r, 0, 1) = 1;
    vec($w, 1, 1) = 1 if $outgoing ne "";
    my $has_room = keys %streams < $connections;
    while (my ($fd, $who) = each %owner) {
        if ($who->{listens}) { vec($r, $fd, 1) = 1 if $has_room; next; }
        vec($w, $fd, 1) = 1 if !$who->{open} || $who->{pending} ne "";
        vec($r, $fd, 1) = 1 if $who->{open} && !$who->{read_end} && $who->{credit} > 0 && length $outgoing < $most;
    }
    next if select($r, $w, undef, undef) < 0;
    # Connections first: what the others do may give the number of one that is gone to a new one.
    for my $fd (sort { $a <=> $b } keys %owner) {
        my $who = $owner{$fd} or next;
        my ($reads, $writes) = (vec($r, $fd, 1), vec($w, $fd, 1));
        vec($r, $fd, 1) = vec($w, $fd, 1) = 0;
        next unless $reads || $writes;
        $who->{listens} ? listener_ready($who) : stream_ready($who, $reads, $writes);
    }
    if (vec($w, 1, 1)) {
        my $sent = syswrite(STDOUT, $outgoing, 262144);
        finish() unless defined $sent || waits();
        substr($outgoing, 0, $sent, "") if $sent;
    }
    next unless vec($r, 0, 1);
    my $got = sysread(STDIN, my $data, 65536);
    if (!defined $got) { waits() ? next : finish(); }
    finish() unless $got;
    $incoming .= $data;
    while (length $incoming >= 9) {
        my ($letter, $number, $size) = unpack "a1NN", $incoming;
        last if length $incoming < 9 + $size;
        my $payload = substr $incoming, 9, $size;
        substr($incoming, 0, 9 + $size, "");
        understand($letter, $number, $payload);
    }
}
