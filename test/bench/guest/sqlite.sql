-- Inserts, index builds, grouping, a join, a scan with LIKE, updates and deletes; all in memory.
PRAGMA journal_mode = OFF;
PRAGMA cache_size = 10000;

CREATE TABLE item (id INTEGER PRIMARY KEY, bucket INTEGER, label TEXT, weight REAL);
WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 60000)
INSERT INTO item
  SELECT i, (i * 7919) % 10007, printf('row-%06d-%s', (i * 7919) % 10007, hex(i * 31)), i * 0.001 FROM number;
CREATE INDEX item_by_bucket ON item (bucket);
CREATE INDEX item_by_label ON item (label);

SELECT count(*), sum(bucket), avg(weight), min(label), max(label) FROM item;
SELECT bucket % 97 AS g, count(*), sum(weight * weight) FROM item GROUP BY g ORDER BY 2 DESC, 1 LIMIT 5;
SELECT count(*) FROM item a JOIN item b ON a.bucket = b.bucket AND a.id < b.id;
SELECT sum(length(label)), count(*) FROM item WHERE label LIKE '%7A%';

UPDATE item SET bucket = (bucket * 31 + id) % 65521 WHERE id % 3 = 0;
DELETE FROM item WHERE id % 5 = 0;
SELECT count(*), sum(bucket) FROM item;
SELECT label FROM item ORDER BY bucket DESC, id LIMIT 3;
