use strict; use warnings; use List::Util qw(reduce shuffle sum max); use POSIX qw(floor strftime); use Data::Dumper; use Digest::MD5 qw(md5_hex); use MIME::Base64;
$Data::Dumper::Sortkeys = 1; $Data::Dumper::Indent = 1;
my %words; $words{lc $_}++ for "The cat and the hat and the bat" =~ /\w+/g;
print join(", ", map { "$_=$words{$_}" } sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words), "\n";
print Dumper({ list => [1, [2, 3]], text => "it's", undef => undef });
printf "%s %.15g %e %x %b %s\n", 2**53, 1 / 3, 6.02214076e23, 0xdead_beef, 1234, 10 / 4;
print pack("NnCa4Zw", 1, 2, 3, "ab", "z", 300) =~ s/(.)/sprintf "%02x", ord $1/segr, "\n";
my $text = join ",", map { $_ ** 2 } grep { $_ % 3 } 1 .. 30; (my $copy = $text) =~ s/(\d+)/<$1>/g; print "$copy\n";
print "balanced\n" if "((a)(b(c)))" =~ /^(\((?:[^()]++|(?1))*\))$/;
print md5_hex("perl" x 1000), " ", encode_base64(join "", map chr, 0 .. 40), sum(map { sqrt } 1 .. 1000), "\n";
my @sorted = sort { $a <=> $b } map { ($_ * 7919) % 10007 } 1 .. 5000; print "@sorted[0 .. 4] $sorted[-1]\n";
print strftime("%Y-%m-%d %H:%M:%S", gmtime 1700000000), " ", floor(-2.5), "\n";
my $pid = open my $child, "-|"; unless ($pid) { print "from the child\n"; exit 3 } print <$child>; close $child; print $? >> 8, "\n";
eval { die { code => 42 } }; print "died with $@->{code}\n"; local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print $@;
my $sieve = "1" x 2000; for my $i (2 .. 44) { for (my $j = $i * $i; $j < 2000; $j += $i) { substr($sieve, $j, 1) = "0" } } print scalar(() = substr($sieve, 2) =~ /1/g), "\n";
format STDOUT =
@<<<<<<< @>>>>> @##.##
"left", "right", 3.14159
.
write;
