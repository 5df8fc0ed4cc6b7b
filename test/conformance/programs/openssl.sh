# Digests, ciphers, keys from fixed material, signatures checked, certificates read back.
export LC_ALL=C
text='a message to be protected'
for digest in md5 sha1 sha256 sha3-512 blake2b512 ripemd160; do printf %s "$text" | openssl dgst -$digest -provider default -provider legacy | sed 's/.*= //'; done
for cipher in aes-128-cbc aes-256-ctr chacha20 camellia-192-cbc des-ede3-cbc; do printf %s "$text" | openssl enc -$cipher -K 000102030405060708090a0b0c0d0e0f1011121314151617${cipher:+$([ $cipher = aes-256-ctr -o $cipher = chacha20 ] && echo 18191a1b1c1d1e1f)} -iv 000102030405060708090a0b0c0d0e0f -base64 2>/dev/null; done
printf %s "$text" | openssl dgst -sha256 -hmac key | sed 's/.*= //'
openssl kdf -keylen 24 -kdfopt digest:SHA256 -kdfopt pass:secret -kdfopt salt:salt -kdfopt iter:2000 PBKDF2
openssl prime -hex FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF
d=$(mktemp -d); cd "$d"
openssl genpkey -algorithm ED25519 -out key.pem; openssl pkey -in key.pem -pubout -out pub.pem
printf %s "$text" > message; openssl pkeyutl -sign -inkey key.pem -rawin -in message -out signature
openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in message -sigfile signature
openssl ecparam -name prime256v1 -genkey -noout -out ec.pem; openssl pkeyutl -derive -inkey ec.pem -peerkey <(openssl pkey -in ec.pem -pubout) | wc -c
openssl req -new -x509 -key ec.pem -subj /CN=test/O=lab -days 3 -set_serial 7 -out cert.pem; openssl x509 -in cert.pem -noout -subject -serial; openssl verify -CAfile cert.pem cert.pem
rm -r "$d"
